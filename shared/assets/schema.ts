// What a tenant says of its titles, and the pages they are listed on.
import { z } from 'zod'
import { AssetView } from './model.ts'

export const AssetQuery = z.object({
  cursor: z.string().max(4096).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
})
export const AssetPage = z
  .object({ items: z.array(AssetView), cursor: z.string().optional() })
  .meta({ id: 'AssetPage' })
export const AssetChange = z.object({ title: z.string().min(1).max(200) }).strict()
export const SourceUrl = z.object({ url: z.url(), expiresAt: z.string() }).meta({ id: 'SourceUrl' })
