// How a file is cut into the blocks of Blob storage, and which of them are still to be sent.

export interface Block {
  /** Base64; all ids of one blob have the same length, as Put Block demands. */
  id: string
  start: number
  end: number
}

const maxBlocks = 50_000

export function cutIntoBlocks(sizeBytes: number, blockSizeBytes: number): Block[] {
  const step = Math.max(blockSizeBytes, Math.ceil(sizeBytes / maxBlocks))
  const blocks: Block[] = []
  for (let start = 0; start < sizeBytes; start += step) {
    const id = btoa(String(blocks.length).padStart(6, '0'))
    blocks.push({ id, start, end: Math.min(start + step, sizeBytes) })
  }
  return blocks
}

/** A block that is there in another size was cut differently or ended early: it is sent again. */
export function blocksToSend(
  blocks: Block[],
  there: ReadonlyArray<{ id: string; sizeBytes: number }>,
): Block[] {
  const sizes = new Map(there.map(({ id, sizeBytes }) => [id, sizeBytes]))
  return blocks.filter(({ id, start, end }) => sizes.get(id) !== end - start)
}

/** The body of Put Block List. Base64 has no character that XML would want escaped. */
export const blockList = (blocks: Block[]): string =>
  `<?xml version="1.0" encoding="utf-8"?><BlockList>${blocks
    .map(({ id }) => `<Latest>${id}</Latest>`)
    .join('')}</BlockList>`

export const blockUrl = (uploadUrl: string, id: string): string =>
  `${uploadUrl}&comp=block&blockid=${encodeURIComponent(id)}`

export const blockListUrl = (uploadUrl: string): string => `${uploadUrl}&comp=blocklist`
