// The films that the encode benches use: real footage where there is some, as long as they need, on the disk only meanwhile.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ffmpeg, repeatFilm } from '../tests/support/film.ts'

const footage = join(import.meta.dirname, '../../shared/media/mb-video.mp4')

/** Five seconds of 1080p with sound, over and over, of standard range as films are. At 1.5 Mbit/s an hour of it stays below a gigabyte. */
export async function drawFootage(
  folder: string,
  film: { seconds: number; kbps: number; indexInFront?: boolean },
): Promise<string> {
  const scene = join(folder, `scene-${film.kbps}.mp4`)
  const drawn = ['testsrc2=s=1920x1080:r=25:d=5', 'sine=d=5'].flatMap((graph) => ['-f', 'lavfi', '-i', graph])
  const rate = ['-maxrate', `${film.kbps}k`, '-bufsize', `${2 * film.kbps}k`]
  if (!existsSync(scene))
    await ffmpeg([
      ...(existsSync(footage) ? ['-i', footage] : drawn),
      ...['-t', '5', '-vf', 'scale=out_range=tv,format=yuv420p'],
      ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', ...rate],
      ...['-c:a', 'aac', '-b:a', '96k', scene],
    ])
  const path = join(folder, 'film.mp4')
  const more = film.indexInFront ? ['-movflags', '+faststart'] : []
  await repeatFilm({ from: scene, to: path, seconds: film.seconds, more })
  return path
}
