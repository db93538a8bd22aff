// The price before the work: asked for once a file is there, answered when somebody has looked into it.
import type { Api, Quote } from './api.ts'
import { ApiProblem } from './call.ts'
import { recallPriceFirst, rememberPriceFirst } from './memory.ts'
import { part } from './page.ts'
import { type Patience, patiently, pause } from './patience.ts'

const askEveryMs = 1000

/** Rejects with what the encode itself would end with. */
export async function quoteOf(api: Api, assetId: string, calls: Patience): Promise<Quote> {
  await patiently(() => api.askQuote(assetId), calls)
  for (;;) {
    const asked = await patiently(() => api.quote(assetId), calls)
    if (asked.state === 'ready') return asked
    if (asked.state === 'failed')
      throw new ApiProblem({
        status: 422,
        ...(asked.error ?? { code: 'unknown', detail: 'No price was found.' }),
      })
    await pause(askEveryMs, calls.signal)
  }
}

/** The box in the place where files are dropped: whether its owner wants to be asked first. */
export function createPriceFirst(signal: AbortSignal): () => boolean {
  const box = part('#price-first', HTMLInputElement)
  box.checked = recallPriceFirst()
  box.addEventListener('change', () => rememberPriceFirst(box.checked), { signal })
  return () => box.checked
}
