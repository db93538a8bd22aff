// The console's files: a small folder held in memory, sent with a strict policy; few of them are for pages elsewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { sha256Hex } from '../core/hash.ts'
import { Problem } from '../core/problem.ts'
import type { HttpReply } from './route.ts'

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  // Shown as it is written: browsers know no Markdown.
  md: 'text/plain; charset=utf-8',
}

/** What pages of tenants' own sites load: the player's script, and the library that it imports as a module. */
const embedded = /^(embed|hls-[A-Z0-9]{8})\.js$/
/** A name that holds a hash of what is in it. */
const hashed = /-[A-Z0-9]{8}\.js$/

/** A module is loaded by CORS alone; the other header admits pages that embed nothing without it (COEP). */
const toWhom = (name: string): Record<string, string> =>
  embedded.test(name)
    ? { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' }
    : { 'cross-origin-resource-policy': 'same-origin' }

/**
 * Scripts and styles from here alone. Films go to storage directly, so its origin may be connected to; playlists and
 * posters come from the public URL, which is another origin where the console is opened at the app's own host.
 */
export const consolePolicy = (storageOrigin: string, publicUrl = ''): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' ${publicUrl}`,
    `media-src 'self' blob: ${publicUrl}`,
    `connect-src 'self' ${publicUrl} ${storageOrigin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // No string ever becomes a script or markup: the page only sets text and attributes.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')

export interface Files {
  file(path: string, url: URL, ifNoneMatch: string | null): HttpReply
}

/** Reads the folder at its first use; an app that was built without a console answers 404. */
export function createFiles(folder: string, policy: string): Files {
  let files: Map<string, { bytes: Uint8Array; etag: string }> | undefined
  const load = () =>
    new Map(
      (existsSync(folder) ? readdirSync(folder) : []).map((name) => {
        const bytes = readFileSync(`${folder}/${name}`)
        return [name, { bytes, etag: `"${sha256Hex(bytes).slice(0, 20)}"` }] as const
      }),
    )
  return {
    file(path, url, ifNoneMatch) {
      // Relative references need the folder's slash.
      if (path === '' && !url.pathname.endsWith('/'))
        return { status: 308, headers: { location: `${url.pathname}/` } }
      files ??= load()
      const name = path === '' ? 'index.html' : path
      const found = files.get(name)
      const type = types[name.slice(name.lastIndexOf('.') + 1)]
      if (!found || !type) throw new Problem('not-found')
      const headers = {
        etag: found.etag,
        'cache-control': hashed.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
        'content-security-policy': policy,
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
        ...toWhom(name),
      }
      if (ifNoneMatch === found.etag) return { status: 304, headers }
      return { status: 200, headers: { ...headers, 'content-type': type }, body: found.bytes }
    },
  }
}
