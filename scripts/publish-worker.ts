// Puts the packaged worker where machines fetch it at their next boot: the archive first, and `current`, which names it, last.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  options: { worker: { type: 'string', default: join(import.meta.dirname, '../dist/worker') } },
  allowPositionals: true,
})
const folder = resolve(values.worker)
const account = positionals[0] ?? process.env['WORKER_STORAGE_NAME']

if (!account) {
  console.log('publish: this environment has no machines (WORKER_STORAGE_NAME is empty): nothing to do.')
} else if (!existsSync(join(folder, 'current'))) {
  fail(`no worker in ${folder}: npm run package makes it, on Linux on x64.`)
} else {
  const version = readFileSync(join(folder, 'current'), 'utf8').trim()
  // A name is the content's own hash: what is there already is the same.
  put(account, `${version}.tar.gz`)
  put(account, 'current')
  console.log(`publish: machines that boot from now on run ${version}.`)
}

/** With the rights of whoever is signed in; no key. */
function put(accountName: string, name: string): void {
  const args = [
    ...['storage', 'blob', 'upload', '--auth-mode', 'login', '--account-name', accountName],
    ...['--container-name', 'worker', '--name', name, '--file', join(folder, name)],
    ...['--overwrite', 'true', '--no-progress', '--output', 'none'],
  ]
  // On Windows `az` is a script of its shell.
  const { status, error } = spawnSync('az', args, { stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0)
    fail(
      `${name} was not uploaded${error ? `: ${error.message}` : ''}. A right that was just granted takes minutes: then run this again.`,
    )
}

function fail(reason: string): never {
  console.error(`publish: ${reason}`)
  process.exit(1)
}
