// What the tab remembers until it is closed: the keys it signed in with, which title a half-sent file belongs to, posters.

export interface KeptKey {
  recall(): string | null
  remember(key: string): void
}

const keptKey = (name: string): KeptKey => ({
  recall: () => sessionStorage.getItem(name),
  remember: (key) => sessionStorage.setItem(name, key),
})

export const tenantKey = keptKey('movidone.key')
export const adminKey = keptKey('movidone.admin')
/** Signing out forgets everything. */
export const forgetAll = (): void => sessionStorage.clear()

const posterName = (assetId: string) => `movidone.poster.${assetId}`

/** A poster's URL is a session, and sessions are counted: a page that is loaded anew opens no second one. */
export const rememberPoster = (assetId: string, poster: { posterUrl: string; expiresAt: string }): void =>
  sessionStorage.setItem(
    posterName(assetId),
    JSON.stringify([poster.posterUrl, Date.parse(poster.expiresAt)]),
  )
export function recallPoster(assetId: string): string | undefined {
  const [url, endMs] = JSON.parse(sessionStorage.getItem(posterName(assetId)) ?? '["", 0]') as [
    string,
    number,
  ]
  return Date.now() < endMs ? url : undefined
}
export const forgetPoster = (assetId: string): void => sessionStorage.removeItem(posterName(assetId))

const priceFirstName = 'movidone.price-first'
export const rememberPriceFirst = (wanted: boolean): void =>
  sessionStorage.setItem(priceFirstName, String(wanted))
export const recallPriceFirst = (): boolean => sessionStorage.getItem(priceFirstName) === 'true'

/** Why the page signed out by itself, for the page that comes after. */
const reasonName = 'movidone.reason'
export const rememberReason = (sentence: string): void => sessionStorage.setItem(reasonName, sentence)
export function takeReason(): string {
  const sentence = sessionStorage.getItem(reasonName) ?? ''
  sessionStorage.removeItem(reasonName)
  return sentence
}

export type FileTraits = Pick<File, 'name' | 'size' | 'lastModified'>

/** The same name, size and time of change: taken to be the same file, as rsync does. */
const uploadName = (file: FileTraits) => `movidone.upload.${file.size}.${file.lastModified}.${file.name}`

export const rememberUpload = (file: FileTraits, assetId: string): void =>
  sessionStorage.setItem(uploadName(file), assetId)
export const recallUpload = (file: FileTraits): string | null => sessionStorage.getItem(uploadName(file))
export const forgetUpload = (file: FileTraits): void => sessionStorage.removeItem(uploadName(file))
