// The local platform's commands: `app` runs any function app, `functions` does so as a child of the platform.
const [command = '', ...args] = process.argv.slice(2)

if (command === 'app' || command === 'functions') {
  await (await import('./functions/command.ts')).runCommand(command, args)
} else {
  process.stderr.write('usage: node host/main.ts app <folder> [--port n]\n')
  process.exitCode = 2
}
