// What is kept of a program's words: each line is offered once, and the head and the tail of all of it stay.
import { StringDecoder } from 'node:string_decoder'

const longestLine = 2000

export interface Messages {
  take(bytes: Buffer): void
  text(): string
}

export function createMessages(keptBytes: number, onLine: ((line: string) => void) | undefined): Messages {
  const decoder = new StringDecoder('utf8')
  let head = ''
  let tail = ''
  let line = ''
  const offer = () => {
    if (line) onLine?.(line)
    line = ''
  }
  return {
    take(bytes) {
      const text = decoder.write(bytes)
      if (head.length < keptBytes) head += text.slice(0, keptBytes - head.length)
      else tail = (tail + text).slice(-keptBytes)
      const parts = text.split(/[\r\n]/)
      for (const [index, part] of parts.entries()) {
        if (index > 0) offer()
        line = (line + part).slice(0, longestLine)
      }
    },
    text() {
      offer()
      return tail ? `${head}\n…\n${tail}` : head
    },
  }
}
