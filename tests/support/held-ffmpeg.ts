// An ffmpeg that can be held: what is seen of an encode under way is then seen, however fast or slow the machine is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface HeldFfmpeg {
  readonly env: { readonly FFMPEG_PATH: string }
  /** From now on no pictures but those of a film's opening are begun. */
  hold(): void
  release(): void
}

export function heldFfmpeg(folder: string, ffmpeg = 'ffmpeg'): HeldFfmpeg {
  const home = mkdtempSync(join(folder, 'ffmpeg-'))
  const [path, mark] = [join(home, 'ffmpeg'), join(home, 'held')]
  const script = [
    '#!/bin/sh',
    'case "$*" in',
    '  *trim=start_pts=0:*) ;;',
    `  -nostdin*libx264*) while [ -e '${mark}' ]; do sleep 0.1; done ;;`,
    'esac',
    `exec '${ffmpeg}' "$@"`,
  ]
  writeFileSync(path, `${script.join('\n')}\n`, { mode: 0o755 })
  return {
    env: { FFMPEG_PATH: path },
    hold: () => writeFileSync(mark, ''),
    release: () => rmSync(mark, { force: true }),
  }
}
