// Whose session it is, told by its id: the viewer's keyed hash first, then chance, or for a grant what its `jti` comes to.
import { createHmac } from 'node:crypto'
import { type AssetId, base32, type TenantId } from '../core/ids.ts'
import type { PlatformSecret } from './platform-secret.ts'

const viewerKeyLength = 16
const ownLength = 20

export interface GrantedSession {
  readonly tenantId: TenantId
  readonly assetId: AssetId
  readonly viewer?: string | undefined
  readonly jti: string
}

const keyed = (secret: Uint8Array, text: string): string =>
  base32(createHmac('sha256', secret).update(text).digest())

/** The tenant's own word for a viewer is nowhere stored, and can not be guessed from a URL. */
export async function viewerKeyOfName(
  platformSecret: PlatformSecret,
  { tenantId, viewer }: { tenantId: TenantId; viewer: string },
): Promise<string> {
  return keyed(await platformSecret('viewer'), `${tenantId}\0${viewer}`).slice(0, viewerKeyLength)
}

/** The same grant always opens the same session; one that names no viewer has a viewer of its own. */
export async function sessionOfGrant(
  platformSecret: PlatformSecret,
  { tenantId, assetId, viewer, jti }: GrantedSession,
): Promise<{ viewerKey: string; sessionId: string }> {
  const secret = await platformSecret('grant-session')
  const named = `${tenantId}\0${assetId}\0${jti}`
  const viewerKey =
    viewer === undefined
      ? keyed(secret, `viewer\0${named}`).slice(0, viewerKeyLength)
      : await viewerKeyOfName(platformSecret, { tenantId, viewer })
  return { viewerKey, sessionId: `${viewerKey}-${keyed(secret, named).slice(0, ownLength)}` }
}
