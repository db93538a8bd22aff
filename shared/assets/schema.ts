// What a tenant says of its titles, and the pages they are listed on.
import { z } from 'zod'
import { AssetView } from './model.ts'

export const AssetPage = z
  .object({ items: z.array(AssetView), cursor: z.string().optional() })
  .meta({ id: 'AssetPage' })
export const AssetChange = z.object({ title: z.string().min(1).max(200) }).strict()
export const SourceUrl = z.object({ url: z.url(), expiresAt: z.string() }).meta({ id: 'SourceUrl' })
