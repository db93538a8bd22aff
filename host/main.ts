// The local platform's commands: `start` runs all of it, `app` any function app, `functions` one as a child of the platform.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = `${root}node_modules/.cache/movidone`
// Stripped types and compiled code are kept, which halves the time to start; the parts find it in their environment.
enableCompileCache(cache)
process.env['NODE_COMPILE_CACHE'] ??= cache

const [command = '', ...args] = process.argv.slice(2)

if (command === 'start') {
  await (await import('./platform/start.ts')).start(args, root)
} else if (command === 'app' || command === 'functions') {
  if (command === 'functions') (await import('./platform/orphan.ts')).endGroupWithParent()
  await (await import('./functions/command.ts')).runCommand(command, args)
} else {
  process.stderr.write('usage: node host/main.ts start [--port n] [--watch] | app <folder> [--port n]\n')
  process.exitCode = 2
}
