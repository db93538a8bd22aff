// The common functions in streaming mode, and routes whose order matters.
import { app } from '@azure/functions'
import { register } from '../handlers.js'

app.setup({ enableHttpStream: true })
register()

const seen = (name, route, methods = ['GET']) =>
  app.http(name, { methods, route, handler: (request) => ({ jsonBody: { name, params: request.params } }) })
seen('b_first', 'zoo/{animal}')
seen('c_second', 'zoo/lion')
seen('d_post', 'zoo/lion', ['POST'])
seen('e_twin', 'ZOO/{Animal}')
seen('files', 'files/{*rest}')
seen('switched', 'switched')
app.http('where', {
  methods: ['GET'],
  route: 'where/{*rest}',
  handler: (request) => ({ jsonBody: { url: request.url, rest: request.params.rest ?? null } }),
})
