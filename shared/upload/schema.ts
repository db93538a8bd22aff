// What an uploader says and is told.
import { z } from 'zod'

export const UploadRequest = z
  .object({
    fileName: z.string().min(1).max(255),
    sizeBytes: z.number().int().min(1, 'a file has at least one byte'),
    title: z.string().min(1).max(200).optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')
      .optional(),
    protection: z.enum(['aes-128', 'cbcs', 'cenc']).default('aes-128'),
    profile: z.enum(['standard']).default('standard'),
  })
  .strict()
  .meta({ id: 'UploadRequest' })
export type UploadRequest = z.output<typeof UploadRequest>

export const UploadTicket = z
  .object({
    assetId: z.string(),
    /** SAS of this one blob: create and write, nothing else. */
    uploadUrl: z.url(),
    expiresAt: z.string(),
    blockSizeBytes: z.number().int(),
  })
  .meta({ id: 'UploadTicket' })
export type UploadTicket = z.infer<typeof UploadTicket>

export const UploadBlocks = UploadTicket.extend({
  blocks: z.array(z.object({ id: z.string(), sizeBytes: z.number().int() })),
}).meta({ id: 'UploadBlocks' })
export type UploadBlocks = z.infer<typeof UploadBlocks>

export const UploadCompleted = z
  .object({ assetId: z.string(), state: z.enum(['uploading', 'encoding', 'ready', 'failed']) })
  .meta({ id: 'UploadCompleted' })
