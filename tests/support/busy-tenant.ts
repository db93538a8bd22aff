// A node of the application without its host: changes what one tenant has, several things at once, until it is killed.
import { randomUUID } from 'node:crypto'
import { definitionsFor } from '../../functions/stages.ts'
import { createApp } from '../../shared/app.ts'
import { configFromEnvironment, stages } from '../../shared/config/index.ts'
import { silentLog } from '../../shared/core/log.ts'
import { handle } from '../../shared/http/handle.ts'

const atOnce = 6
const config = configFromEnvironment()
const apiKey = config.localTenant?.apiKey ?? ''
const app = createApp(config, { log: silentLog })
const routes = definitionsFor(new Set(stages)).filter((definition) => definition.kind === 'http')
const orchestrations = { startOnce: async () => {}, raise: async () => {} }

async function call(name: string, params: Record<string, string>, body: unknown = {}): Promise<string> {
  const route = routes.find((one) => one.name === name)
  if (!route) throw new Error(`no route is called ${name}`)
  const reply = await handle(
    route,
    { ...app.http, app, orchestrations },
    {
      id: randomUUID(),
      method: route.methods[0] ?? '',
      url: new URL('http://node.test/'),
      params,
      header: (header) => (header === 'authorization' ? `Bearer ${apiKey}` : null),
      bytes: async () => Buffer.from(JSON.stringify(body)),
    },
  )
  // Others were faster, again and again: it is for whoever asks to ask once more.
  if (reply.status === 409) return call(name, params, body)
  if (reply.status >= 300) throw new Error(`${name}: ${reply.status} ${String(reply.body)}`)
  return String(reply.body ?? '{}')
}

async function work(): Promise<never> {
  for (let n = 0; ; n++) {
    const body = { fileName: 'film.mp4', sizeBytes: 1000 + n }
    const { assetId } = JSON.parse(await call('upload-create', {}, body)) as { assetId: string }
    if (n % 3 > 0) await call('assets-delete', { assetId })
    const { id } = JSON.parse(await call('tenants-keys-add', {}, { name: 'k', role: 'minter' })) as {
      id: string
    }
    await call('tenants-keys-retire', { keyId: id })
    if (n === 0) console.log('working')
  }
}

await app.tenants.ensure(apiKey, 'A busy studio')
await Promise.all(Array.from({ length: atOnce }, work))
