// What the tab remembers until it is closed: the tenant key, and which title a half-sent file belongs to.

const keyName = 'movidone.key'

export const rememberKey = (key: string): void => sessionStorage.setItem(keyName, key)
export const recallKey = (): string | null => sessionStorage.getItem(keyName)
/** Signing out forgets everything. */
export const forgetAll = (): void => sessionStorage.clear()

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
