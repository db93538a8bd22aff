// The receiver that the docs show, run as it stands: it takes what is signed, and nothing else.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { systemClock } from '../../shared/core/clock.ts'
import { createSend } from '../../shared/webhooks/send.ts'
import { secretOf, signedHeaders } from '../../shared/webhooks/signature.ts'
import { newTenantId } from '../support/documents.ts'

const docs = new URL('../../docs/2-webhooks.md', import.meta.url)

test('the receiver of docs/2-webhooks.md verifies in fifteen lines or so', async () => {
  const code = /```js receiver\n([\s\S]*?)```/.exec(await readFile(docs, 'utf8'))?.[1] ?? ''
  expect(code.trim().split('\n').length).toBeLessThan(20)
  const folder = await mkdtemp(join(tmpdir(), 'movidone-webhooks-'))
  const file = join(folder, 'receiver.mjs')
  await writeFile(file, code)
  const tenantId = newTenantId()
  const root = new Uint8Array(32).fill(1)
  const id = 'whk_00000000000000000000'
  const secret = secretOf(root, { tenantId, webhookId: id, secretId: 'new' })
  const env = { ...process.env, WEBHOOK_SECRET: secret, PORT: '0' }
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  try {
    const url = `http://127.0.0.1:${(await lines.next()).value}/hooks`
    const send = createSend({ clock: systemClock, allowLocal: true, connectMs: 60_000, totalMs: 60_000 })
    const body = JSON.stringify({ type: 'asset.ready', data: { title: 'Ünïcode' } })
    const post = (secretIds: string[], nowMs = Date.now(), sent = body) => {
      const secrets = secretIds.map((secretId) => ({ id: secretId }))
      const endpoint = { id, url, name: '', events: [], secrets, createdAt: '', requestHash: '' } as const
      const message = { tenantId, eventId: 'evt_00000000000000000000', body, nowMs } as const
      return send(url, { headers: signedHeaders(root, endpoint, message), body: sent })
    }
    expect(await post(['new'])).toMatchObject({ status: 204 })
    expect((await lines.next()).value).toBe('evt_00000000000000000000 asset.ready')
    expect(await post(['newer', 'new'])).toMatchObject({ status: 204 })
    expect(await post(['old'])).toMatchObject({ status: 401 })
    expect(await post(['new'], Date.now(), `${body} `)).toMatchObject({ status: 401 })
    expect(await post(['new'], Date.now() - 301_000)).toMatchObject({ status: 401 })
    expect((await fetch(url, { method: 'POST', body })).status).toBe(401)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
    await rm(folder, { recursive: true })
  }
})
