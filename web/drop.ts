// Where files come in: the picker, and the whole page as a place to drop them.
import { part } from './page.ts'

export function acceptFiles(signal: AbortSignal, take: (files: Iterable<File>) => void): void {
  const zone = part('#drop', HTMLElement)
  const picker = part('#file', HTMLInputElement)
  picker.addEventListener(
    'change',
    () => {
      take([...(picker.files ?? [])])
      // Choosing the same file once more must count as a change.
      picker.value = ''
    },
    { signal },
  )
  const bringsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
  const over = (event: DragEvent) => {
    if (!bringsFiles(event)) return
    event.preventDefault()
    zone.classList.add('over')
  }
  addEventListener('dragenter', over, { signal })
  addEventListener('dragover', over, { signal })
  addEventListener(
    'dragleave',
    (event) => {
      if (event.relatedTarget === null) zone.classList.remove('over')
    },
    { signal },
  )
  addEventListener(
    'drop',
    (event) => {
      if (!bringsFiles(event)) return
      event.preventDefault()
      zone.classList.remove('over')
      take([...(event.dataTransfer?.files ?? [])])
    },
    { signal },
  )
}
