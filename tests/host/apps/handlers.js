// One set of functions for both modes of HTTP: results that are fine, and each that the real host chokes on.
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { app, HttpResponse } from '@azure/functions'

const chunk = (text) => Buffer.from(text)
/** Until the test makes the file. */
export const letGo = async () => {
  while (!existsSync(process.env.LET_GO)) await sleep(10)
}
/** Gives the chunks one by one, then fails or ends. */
const body = (chunks, { error, pauseMs = 0 } = {}) =>
  new ReadableStream({
    async pull(controller) {
      if (pauseMs) await sleep(pauseMs)
      const next = chunks.shift()
      if (next !== undefined) controller.enqueue(chunk(next))
      else if (error) controller.error(new Error(error))
      else controller.close()
    },
  })

const results = {
  text: () => ({ body: 'hello' }),
  empty: () => ({ body: '' }),
  json: () => ({ jsonBody: { a: 1 } }),
  instance: () => new HttpResponse({ status: 202, body: 'made' }),
  created: () => ({ status: '201', body: 'made' }),
  nocontent: () => ({ status: 204, body: 'dropped' }),
  lists: () => {
    const headers = new Headers({ 'x-multi': '1' })
    headers.append('x-multi', '2')
    headers.append('set-cookie', 'q=1')
    headers.append('set-cookie', 'r=2')
    return { headers, body: 'x' }
  },
  cookies: () => ({
    body: 'c',
    cookies: [
      { name: 'a', value: '1' },
      {
        name: 'b',
        value: 'x y;z',
        maxAge: 60,
        domain: 'ex.com',
        path: '/p',
        secure: true,
        httpOnly: true,
        sameSite: 'Strict',
      },
    ],
  }),
  nothing: () => undefined,
  null: () => null,
  string: () => 'text',
  number: () => 7,
  throws: () => {
    throw new Error('the handler broke')
  },
  throwsText: () => {
    throw 'only text'
  },
  badStatus: () => ({ status: 99 }),
  badHeader: () => ({ headers: { 'x-bad': 'a\nb' } }),
  failsAtOnce: () => ({ body: body([], { error: 'no first byte' }) }),
  failsMidway: () => ({ body: body(['one', 'two'], { error: 'it broke midway', pauseMs: 20 }) }),
  sized: () => ({ headers: { 'content-length': '3' }, body: 'abc' }),
  tooShort: () => ({ headers: { 'content-length': '10' }, body: 'abc' }),
  tooLong: () => ({ headers: { 'content-length': '3' }, body: 'abcdef' }),
  silent: () => ({ body: new ReadableStream({ pull: () => sleep(60_000) }) }),
  held: () => ({
    headers: { 'content-type': 'text/plain' },
    body: new ReadableStream({
      start: (controller) => controller.enqueue(chunk('1')),
      async pull(controller) {
        await letGo()
        controller.enqueue(chunk('2'))
        controller.close()
      },
    }),
  }),
}

let pulled = 0
let cancelled = 0

export function register() {
  app.http('result', {
    methods: ['GET', 'HEAD'],
    route: 'result/{kind}',
    handler: (request) => results[request.params.kind](),
  })
  app.http('echo', {
    methods: ['POST', 'PUT', 'GET'],
    route: 'echo/{id?}',
    handler: async (request) => ({
      jsonBody: {
        method: request.method,
        url: request.url,
        params: request.params,
        query: [...request.query],
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      },
    }),
  })
  app.http('size', {
    methods: ['POST'],
    handler: async (request) => ({ jsonBody: { size: (await request.arrayBuffer()).byteLength } }),
  })
  app.http('sleep', {
    methods: ['GET'],
    route: 'sleep/{ms:int}',
    handler: async (request) => {
      await sleep(Number(request.params.ms))
      return { body: 'slept' }
    },
  })
  app.http('held', {
    methods: ['GET'],
    handler: async () => {
      await letGo()
      return { body: 'let go' }
    },
  })
  app.http('flood', {
    methods: ['GET'],
    handler: () => ({
      body: new ReadableStream({
        pull(controller) {
          if (pulled++ < 40) controller.enqueue(Buffer.alloc(262_144))
          else controller.close()
        },
        cancel: () => void cancelled++,
      }),
    }),
  })
  app.http('flooded', { methods: ['GET'], handler: () => ({ jsonBody: { pulled, cancelled } }) })
  app.http('crash', {
    methods: ['GET'],
    handler: () => {
      void Promise.reject(new Error('nobody waits for this'))
      return new Promise(() => {})
    },
  })
  app.http('exit', { methods: ['GET'], handler: () => process.exit(3) })
  app.http('keyed', { methods: ['GET'], authLevel: 'admin', handler: () => ({ body: 'open' }) })
}
