// The price table in one setting: `480=0.004,1080=0.015,audio=0.001`, prices in whole millionths of the currency.
export interface Prices {
  /** By the shorter side of the picture, in rising order. */
  readonly video: ReadonlyArray<{ readonly upTo: number; readonly micros: number }>
  readonly audioMicros: number
}

export function pricesOf(text: string): Prices {
  const entries = text.split(',').map((entry) => {
    const [name = '', price] = entry.split('=')
    return { name, micros: Math.round(Number(price) * 1e6) }
  })
  const video = entries.filter(({ name }) => name !== 'audio')
  return {
    video: video
      .map(({ name, micros }) => ({ upTo: Number(name), micros }))
      .toSorted((a, b) => a.upTo - b.upTo),
    audioMicros: entries.find(({ name }) => name === 'audio')?.micros ?? 0,
  }
}
