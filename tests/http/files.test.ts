// Which of the console's files are sent, how, and what an app without a console answers.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createFiles } from '../../shared/http/files.ts'

const folder = mkdtempSync(join(tmpdir(), 'movidone-test-'))
writeFileSync(join(folder, 'index.html'), '<p>')
writeFileSync(join(folder, 'notes.txt'), 'of no known type')
afterAll(() => rmSync(folder, { recursive: true }))
const at = (path: string) => new URL(path, 'http://host.test')

test('a file is sent with its policy, and not again when it is known', () => {
  const files = createFiles(folder, "default-src 'none'")
  const page = files.file('', at('/console/'), null)
  expect(page).toMatchObject({ status: 200, headers: { 'content-security-policy': "default-src 'none'" } })
  expect(files.file('index.html', at('/console/index.html'), page.headers['etag'] ?? null).status).toBe(304)
  expect(files.file('', at('/console'), null)).toEqual({ status: 308, headers: { location: '/console/' } })
})

test('nothing outside the folder, of no known type, or of no folder at all is there', () => {
  const absent = expect.objectContaining({ code: 'not-found' })
  const files = createFiles(folder, '')
  expect(files.file('index.html', at('/console/index.html'), null).status).toBe(200)
  for (const path of ['../index.html', '/etc/hostname', 'notes.txt', 'missing.js', '__proto__'])
    expect(() => files.file(path, at('/console/x'), null), path).toThrow(absent)
  for (const missing of ['', join(folder, 'none')])
    expect(() => createFiles(missing, '').file('', at('/console/'), null), missing).toThrow(absent)
})

test('pages of other sites may load the player and its library, and nothing else of the console', () => {
  for (const name of ['embed.js', 'hls-3RWKF3H3.js', 'main.js', 'hls-config.js', 'embed.json.js'])
    writeFileSync(join(folder, name), 'void 0')
  const files = createFiles(folder, '')
  const headers = (name: string) => files.file(name, at(`/console/${name}`), null).headers
  for (const name of ['embed.js', 'hls-3RWKF3H3.js'])
    expect(headers(name), name).toMatchObject({
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    })
  for (const name of ['index.html', 'main.js', 'hls-config.js', 'embed.json.js']) {
    expect(headers(name), name).toMatchObject({ 'cross-origin-resource-policy': 'same-origin' })
    expect(headers(name), name).not.toHaveProperty('access-control-allow-origin')
  }
})

test('only a file whose name holds its hash may be kept without asking', () => {
  const files = createFiles(folder, '')
  const kept = (name: string) => files.file(name, at(`/console/${name}`), null).headers['cache-control']
  expect(kept('hls-3RWKF3H3.js')).toBe('public, max-age=31536000, immutable')
  expect([kept('embed.js'), kept('main.js'), kept('index.html')]).toEqual(Array(3).fill('no-cache'))
})
