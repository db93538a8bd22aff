// Decides that the functions host, and whatever it started, does not outlive its supervisor.
import { fstatSync } from 'node:fs'

/**
 * The supervisor holds the other end of standard input: when it dies, however it dies, the kernel closes that pipe.
 * The stores end at that moment too, so there is nothing to finish: an activity that went on would fail for want of
 * them, and have that written down against its title. Ended at once, with its process group (ffmpeg is in it), it is
 * taken up by the next start as if it had never failed.
 */
export const endGroupWithParent = (): void => {
  const stdin = fstatSync(0)
  if (!stdin.isFIFO() && !stdin.isSocket()) return
  process.stdin
    .once('close', () => {
      try {
        process.kill(-process.pid, 'SIGKILL')
      } catch {
        process.exit(1) // It does not lead a group, so there is only itself.
      }
    })
    .resume()
}
