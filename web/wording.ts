// Numbers and states in the words that people read.
import type { Asset, Progress, Quote, Rendition } from './api.ts'

/** `My_holiday.final.mp4` → `My holiday.final` */
export const titleOf = (fileName: string): string =>
  fileName
    .replace(/\.[^.]{1,5}$/, '')
    .replaceAll('_', ' ')
    .trim() || fileName

/** Entries that a person put commas, spaces or lines between. */
export const words = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean)

export function clockTime(seconds: number): string {
  const whole = Math.round(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return `${h ? `${h}:${String(m).padStart(2, '0')}` : m}:${String(s).padStart(2, '0')}`
}

export function timeLeft(seconds: number): string {
  if (seconds < 5) return 'a few seconds left'
  if (seconds < 90) return `about ${Math.ceil(seconds / 5) * 5} s left`
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min left`
  return `about ${Math.round(seconds / 3600)} h left`
}

/** Small amounts keep the digits that make them differ. */
export const money = (amount: number, currency: string): string =>
  amount.toLocaleString('en', {
    style: 'currency',
    currency,
    minimumFractionDigits: 2,
    maximumFractionDigits: amount < 1 ? 4 : 2,
  })

export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 90) return `${seconds} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return seconds < 129_600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}

export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(count, 1)) / 3))
  const value = count / 1000 ** power
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${units[power]}`
}

export const bitrate = (bitsPerSecond: number): string =>
  bitsPerSecond >= 1e6
    ? `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`
    : `${Math.round(bitsPerSecond / 1e3)} kbit/s`

const stages: Record<Progress['stage'], string> = {
  uploading: 'Upload unfinished',
  queued: 'Waiting for an encoder',
  probing: 'Reading the film',
  'waking-encoders': 'Waking encoders…',
  encoding: 'Encoding',
  finishing: 'Finishing',
  done: 'Ready',
  failed: 'Failed',
}

export function stateWords(asset: Asset): string {
  if (asset.state === 'ready' || asset.state === 'failed')
    return stages[asset.state === 'ready' ? 'done' : 'failed']
  return asset.state === 'encoding' ? progressWords(asset.progress) : stages[asset.progress.stage]
}

/** Machines that wake make no percents. */
const progressWords = ({ stage, percent }: Progress): string =>
  stage === 'waking-encoders' ? stages[stage] : `${stages[stage]} · ${percent} %`

/** Whether the version after the one that plays is on its way. */
export const nextUnderWay = ({ nextVersion }: Asset): boolean =>
  nextVersion !== undefined && nextVersion.error === undefined

export function nextWords({ nextVersion }: Asset): string {
  if (!nextVersion) return ''
  const { progress, error } = nextVersion
  if (error?.code === 'encode-cancelled') return 'The next version was cancelled; this one plays on.'
  if (error) return `The next version failed, and this one plays on. ${error.detail}`
  const left = progress.etaSeconds === undefined ? '' : ` · ${timeLeft(progress.etaSeconds)}`
  return `Next version: ${progressWords(progress)}${left}`
}

export const quoteWords = ({ encodedMinutes, renditions, expectedSeconds }: Quote): string =>
  [
    clockTime(encodedMinutes * 60),
    qualitiesOf(renditions).join(', '),
    `encoded in about ${span(expectedSeconds * 1000)}`,
  ].join(' · ')

/** The smaller side of the picture names a quality, upright films too. */
export const qualityName = ({ width = 0, height = 0 }: Pick<Rendition, 'width' | 'height'>): string =>
  `${Math.min(width, height) || height || width}p`

const qualitiesOf = (renditions: readonly Rendition[]): string[] => [
  ...new Set(renditions.filter(({ kind }) => kind === 'video').map(qualityName)),
]

export function detailWords(asset: Asset): string {
  if (asset.state === 'uploading') return 'Choose the same file again in this tab to go on where it stopped.'
  if (asset.state === 'failed') return asset.fileName
  if (asset.state === 'encoding') {
    const eta = asset.progress.etaSeconds
    return [eta === undefined ? '' : timeLeft(eta), asset.playable ? 'playable already' : '']
      .filter(Boolean)
      .join(' · ')
  }
  const sound = asset.renditions.some(({ kind }) => kind === 'audio') ? '' : 'no sound'
  return [qualitiesOf(asset.renditions).join(', '), sound, 'AES-128'].filter(Boolean).join(' · ')
}

/** A point in time, in the reader's own zone and manner; the date only when it is another day. */
export function moment(iso: string, now = new Date()): string {
  const at = new Date(iso)
  const sameDay = at.toDateString() === now.toDateString()
  return at.toLocaleString(
    undefined,
    sameDay ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' },
  )
}

export function agoWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 2) return 'just now'
  if (seconds < 90) return `${seconds} s ago`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`
}

/** `12 of 100`, or `12` where there is no limit. */
export const usageWords = (
  used: number,
  limit: number | undefined,
  words: (value: number) => string,
): string => (limit === undefined ? words(used) : `${words(used)} of ${words(limit)}`)
