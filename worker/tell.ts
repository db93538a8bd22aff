// How a worker reports: by HTTP, with the credential of its node.

export interface Place {
  /** That of its boot: it may take its node anew. */
  readonly credential: () => string
  readonly fleetUrl: string
}

const patienceMs = 10_000
/** Request Timeout, Too Many Requests (RFC 9110 15.5.9, RFC 6585 4). */
const passing = new Set([408, 429])

/** Throws while the platform can't be reached or does not take the report: then it has to be sent again. */
export const createTell =
  ({ credential, fleetUrl }: Place) =>
  async (unitId: string, claim: number, report: object): Promise<'heard' | 'refused'> => {
    const reply = await fetch(`${fleetUrl}/api/v1/fleet/units/${unitId}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${credential()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ claim, ...report }),
      signal: AbortSignal.timeout(patienceMs),
    })
    await reply.arrayBuffer()
    if (reply.ok) return 'heard'
    // Sending it again would not help: the unit is not held any more, or this is no node of the fleet any more.
    if (reply.status < 500 && !passing.has(reply.status)) return 'refused'
    throw new Error(`the report was answered with ${reply.status}`)
  }
