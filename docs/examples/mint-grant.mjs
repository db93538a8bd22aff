// Mints a grant in a tenant's own backend and prints the URL that plays: plain Node, no package, no call to the platform.
import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'

const { MOVIDONE_URL, TENANT_ID, SIGNING_KEY_ID, SIGNING_KEY_FILE } = process.env
const [asset, viewer] = process.argv.slice(2)

const now = Math.floor(Date.now() / 1000)
const header = { alg: 'EdDSA', kid: SIGNING_KEY_ID }
const issued = { iss: TENANT_ID, aud: 'movidone', jti: randomUUID(), iat: now, exp: now + 3600 }
const claims = { ...issued, asset, sub: viewer, policy: { maxStreams: 2 } }

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const signed = `${base64url(header)}.${base64url(claims)}`
const key = createPrivateKey(readFileSync(SIGNING_KEY_FILE))
const signature = sign(null, Buffer.from(signed), key).toString('base64url')
console.log(`${MOVIDONE_URL}/api/v1/play/${signed}.${signature}/master.m3u8`)
