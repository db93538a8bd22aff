// How a worker reports: by HTTP, with the credential of its node.

export interface Place {
  readonly credential: string
  readonly fleetUrl: string
}

const patienceMs = 10_000

/** Throws while the platform can't be reached, or does not take it: then it is to be said again. */
export const createTell =
  ({ credential, fleetUrl }: Place) =>
  async (unitId: string, claim: number, report: object): Promise<'heard' | 'refused'> => {
    const reply = await fetch(`${fleetUrl}/api/v1/fleet/units/${unitId}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
      body: JSON.stringify({ claim, ...report }),
      signal: AbortSignal.timeout(patienceMs),
    })
    await reply.arrayBuffer()
    if (reply.ok) return 'heard'
    if (reply.status === 404 || reply.status === 409) return 'refused'
    throw new Error(`the report was answered with ${reply.status}`)
  }
