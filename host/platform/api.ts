// Speaks the public API as any tenant does; what goes wrong is said in the words of the answer.
export interface AssetView {
  id: string
  title: string
  state: 'uploading' | 'encoding' | 'ready' | 'failed'
  progress: { percent: number; stage: string }
  error?: { code: string; detail: string }
}

export interface UploadTicket {
  assetId: string
  uploadUrl: string
  blockSizeBytes: number
}

export interface Api {
  asset(id: string): Promise<AssetView | undefined>
  assets(): Promise<AssetView[]>
  open(
    request: { fileName: string; sizeBytes: number; title: string },
    idempotencyKey: string,
  ): Promise<UploadTicket>
  complete(assetId: string): Promise<void>
  remove(assetId: string): Promise<void>
  hlsUrl(assetId: string): Promise<string>
}

export const createApi = (apiUrl: string, apiKey: string, signal: AbortSignal): Api => {
  const call = async <T>(
    method: string,
    path: string,
    send?: { body?: unknown; key?: string },
  ): Promise<T | undefined> => {
    const response = await fetch(`${apiUrl}/api/v1/${path}`, {
      method,
      signal,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(send?.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(send?.key === undefined ? {} : { 'idempotency-key': send.key }),
      },
      ...(send?.body === undefined ? {} : { body: JSON.stringify(send.body) }),
    })
    if (response.status === 404) return undefined
    const text = await response.text()
    if (response.ok) return (text ? JSON.parse(text) : undefined) as T
    throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
  }
  const must = async <T>(answer: Promise<T | undefined>): Promise<T> => {
    const value = await answer
    if (value === undefined) throw new Error('The API answered with nothing where something was due.')
    return value
  }

  return {
    asset: (id) => call<AssetView>('GET', `assets/${id}`),
    async assets() {
      const items: AssetView[] = []
      let cursor = ''
      do {
        const page = await must(call<{ items: AssetView[]; cursor?: string }>('GET', `assets${cursor}`))
        items.push(...page.items)
        cursor = page.cursor ? `?cursor=${encodeURIComponent(page.cursor)}` : ''
      } while (cursor)
      return items
    },
    open: (body, key) => must(call<UploadTicket>('POST', 'uploads', { body, key })),
    async complete(assetId) {
      await must(call('POST', `uploads/${assetId}/complete`))
    },
    async remove(assetId) {
      await call('DELETE', `assets/${assetId}`)
    },
    async hlsUrl(assetId) {
      return (await must(call<{ hlsUrl: string }>('POST', `assets/${assetId}/playback`, { body: {} }))).hlsUrl
    },
  }
}
