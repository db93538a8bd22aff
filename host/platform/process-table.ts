// Reads which processes this machine runs, to find those that an earlier platform left behind.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

export interface RunningProcess {
  pid: number
  group: number
  command: string
}

/** Linux without procps has no ps: /proc is read instead, where it is. */
const fromProc = (): RunningProcess[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The name in parentheses may hold anything; the fields after it are state, parent, group.
        const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return fields[0] === 'Z' ? [] : [{ pid: Number(name), group: Number(fields[2]), command }]
      } catch {
        return [] // It ended while it was read.
      }
    })

const fromPs = (): RunningProcess[] =>
  execFileSync('ps', ['-axo', 'pid=,pgid=,command='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, pid, group, command] = /^\s*(\d+)\s+(\d+)\s+(.+)$/.exec(line) ?? []
      return command === undefined ? [] : [{ pid: Number(pid), group: Number(group), command }]
    })

export const processTable = (): RunningProcess[] => (existsSync('/proc/self/stat') ? fromProc() : fromPs())
