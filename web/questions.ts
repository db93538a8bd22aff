// What is asked before something is done to a title, in words that say what it means for who watches.
import type { Asset } from './api.ts'
import type { Question } from './confirm.ts'
import { nextUnderWay } from './wording.ts'

export const deleting = ({ title }: Asset): Question => ({
  heading: 'Delete this title?',
  words: `“${title}” goes with its source and everything made from it. There is no way back.`,
  act: 'Delete',
})

export const endingSessions = ({ title }: Asset): Question => ({
  heading: 'End all sessions of this title?',
  words: `“${title}” stops for everybody within seconds, and what was embedded of it until now plays no more. New sessions may be opened.`,
  act: 'End them',
  keep: 'Keep them',
})

export const encodingAnew = ({ title }: Asset): Question => ({
  heading: 'Re-encode this title?',
  words: `“${title}” plays on meanwhile, and the new version takes over once it is whole. It costs what an encode of this film costs.`,
  act: 'Re-encode',
  keep: 'Leave it',
  harmless: true,
})

export const cancelling = (asset: Asset): Question => ({
  heading: 'Cancel this encode?',
  words: nextUnderWay(asset)
    ? `“${asset.title}” plays on as it is; what was made of its next version goes.`
    : `“${asset.title}” ends here, and its file goes with what was made of it. Upload it again, if it is wanted after all.`,
  act: 'Cancel the encode',
  keep: 'Let it go on',
})
