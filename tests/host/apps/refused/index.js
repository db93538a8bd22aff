// An app that the host must refuse: REFUSED names the reason.
import { app, output } from '@azure/functions'

const handler = () => ({})
const reasons = {
  queue: () => app.storageQueue('fromQueue', { queueName: 'q', connection: 'C', handler }),
  output: () =>
    app.http('toQueue', {
      handler,
      extraOutputs: [output.storageQueue({ queueName: 'q', connection: 'C', name: 'sink' })],
    }),
  entity: async () => (await import('durable-functions')).app.entity('counter', () => {}),
  slash: () => app.http('lead', { route: '/lead', handler }),
  reserved: () => app.http('own', { route: 'admin/own', handler }),
  template: () => app.http('broken', { route: 'a/{b', handler }),
  constraint: () => app.http('odd', { route: 'a/{b:odd}', handler }),
  cased: () => [app.http('Undef', { handler }), app.http('undef', { handler })],
  twice: () => [app.http('same', { handler }), app.http('same', { handler })],
  schedule: () => app.timer('bad', { schedule: 'not a cron', handler }),
  setting: () => app.timer('unset', { schedule: '%NOPE%', handler }),
  name: () => app.http('no spaces', { handler }),
  throws: () => {
    throw new Error('import boom')
  },
  none: () => {},
}
await reasons[process.env.REFUSED]()
