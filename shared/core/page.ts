// How a list is asked for and given: a page at a time, each from the cursor that the page before ended with.
import { z } from 'zod'

export const PageQuery = z.object({
  cursor: z.string().max(4096).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
})
export type PageQuery = z.infer<typeof PageQuery>

export interface Page<T> {
  readonly items: T[]
  /** Opaque; absent on the last page. */
  readonly cursor?: string
}
