// How a program that reads hostile files is run: no input, no environment, bounded memory, time, files and words.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { RunAsk, RunOutcome } from '../encode/ports.ts'
import { createMessages } from './messages.ts'

const memoryKib = 8 << 20
const wordsBytes = 8 << 10

/**
 * `ulimit` of the POSIX shell, then the program in its place, so that a kill hits the program itself. Of our environment,
 * where secrets live, it is handed the PATH alone. A static ffprobe that finds the converters of another glibc crashes on
 * the names in transport streams: it is kept from looking for them.
 */
const limited = [
  'ulimit -c 0; ulimit -v "$1" 2>/dev/null; ulimit -f "$2" 2>/dev/null; n=$3; shift 3',
  'exec env -i LC_ALL=C GCONV_PATH=/nonexistent PATH="$PATH" nice -n "$n" "$@"',
].join('; ')
/** What a title's first second waits for gets three times the share of CPU of `little`, and thirty times that of `much`. */
const niceness = { none: '0', little: '5', much: '15' }

/** Folders are named after the process that owns them, so that a later start can sweep those of the dead. */
export const workPrefix = join(tmpdir(), 'movidone-work-')

export async function runProgram(path: string, ask: RunAsk): Promise<RunOutcome> {
  ask.signal?.throwIfAborted()
  const folder = await mkdtemp(`${workPrefix}${process.pid}-`)
  try {
    const { end, messages } = await runIn(folder, path, ask)
    ask.signal?.throwIfAborted()
    const names = end === 'done' ? (ask.outputs ?? []) : []
    const files = await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))]))
    return { end, messages, files: Object.fromEntries(files) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** `stdin`: what feeds it, if anything does. */
function start(folder: string, argv: readonly string[], { path, ask, stdin }: Start) {
  const fileBlocks = String(Math.ceil((ask.fileBytes ?? 1 << 30) / 512))
  const nice = niceness[ask.patience ?? 'none']
  const held = ['-c', limited, 'sh', String(memoryKib), fileBlocks, nice, path]
  const child = spawn('/bin/sh', [...held, ...argv], {
    cwd: folder,
    stdio: [stdin ?? 'ignore', 'pipe', 'pipe'],
  }) as ChildProcessByStdio<null, Readable, Readable>
  const ended = new Promise<RunOutcome['end']>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code === 0 ? 'done' : code === null ? 'killed' : 'failed'))
  })
  ended.catch(() => {})
  return { child, ended }
}

interface Start {
  readonly path: string
  readonly ask: RunAsk
  readonly stdin?: Readable | undefined
}

async function runIn(folder: string, path: string, ask: RunAsk): Promise<Omit<RunOutcome, 'files'>> {
  const feeder = ask.feed && start(folder, ask.feed, { path, ask })
  const { child, ended } = start(folder, ask.argv, { path, ask, stdin: feeder?.child.stdout })
  const children = feeder ? [feeder.child, child] : [child]
  const closed = Promise.all(children.map((one) => finished(one.stderr).catch(() => {})))
  let tooSlow = false
  const kill = () => {
    for (const one of children) one.kill('SIGKILL')
  }
  const timer = setTimeout(() => {
    tooSlow = true
    kill()
  }, ask.wallMs)
  ask.signal?.addEventListener('abort', kill, { once: true })
  // It may have been aborted since it was asked last, and then says nothing more.
  if (ask.signal?.aborted) kill()
  try {
    const messages = createMessages(wordsBytes, ask.onMessage)
    for (const one of children) one.stderr.on('data', messages.take)
    await drain(child.stdout, ask.onOutput).catch((error: unknown) => {
      kill()
      throw error
    })
    const end = await ended
    const first = feeder && end === 'done' ? await fed(feeder) : end
    kill()
    await closed
    return { end: tooSlow ? 'too-slow' : first, messages: messages.text() }
  } finally {
    clearTimeout(timer)
    ask.signal?.removeEventListener('abort', kill)
    kill()
    feeder?.child.stdout.destroy()
  }
}

/** How the feeder ended, of one that is done: who had enough before the feeder had said all is done all the same. */
async function fed({ child, ended }: ReturnType<typeof start>): Promise<RunOutcome['end']> {
  for await (const _more of child.stdout) return 'done'
  // It has closed its output, and so is about to end, if it has not yet.
  return ended.catch(() => 'failed')
}

async function drain(stdout: AsyncIterable<Uint8Array>, onOutput: RunAsk['onOutput']): Promise<void> {
  for await (const bytes of stdout) await onOutput?.(bytes)
}
