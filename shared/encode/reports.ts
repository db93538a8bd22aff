// What a node may say of a unit: only of one that it holds; said twice, it is heard once.
import { Problem } from '../core/problem.ts'
import { isHeldBy, isReportedBy, offerIdOf, reported } from './claims.ts'
import type { Holder, OfferStore, Report } from './ports.ts'

/** `{jobId}.{chunk}` or `{jobId}.audio`. */
const unitId = /^(encode-ast_\w{20}-v\d{1,9})\.(?:\d{1,9}|\w{1,20})$/

export function createReports({ offers }: { readonly offers: OfferStore }) {
  return {
    /** Instance id of the orchestration that waits for it. */
    async take(id: string, holder: Holder, report: Report): Promise<string> {
      const jobId = unitId.exec(id)?.[1]
      if (!jobId) throw new Problem('not-found', { detail: 'Check the id of the unit.' })
      const offer = await offers.change(jobId, offerIdOf(id), (current) => {
        if (!current) throw new Problem('not-found', { detail: 'There is no such unit any more.' })
        const nowMs = offers.now()
        if (isReportedBy(current, holder)) return 'unchanged'
        if (!isHeldBy(current, holder, nowMs))
          throw new Problem('conflict', {
            detail: 'This node does not hold this unit any more. Leave it alone and claim another one.',
          })
        return reported(current, report, nowMs)
      })
      if (!offer) throw new Problem('not-found')
      return offer.waits
    },
  }
}
