// Makes a self-signed certificate for one test: an ECDSA key and X.509 v3 (RFC 5280) in DER, without a tool.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'

export interface Certificate {
  /** PEM */
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
  remove(): void
}

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const n = body.length
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts)
const hex = (text: string) => Buffer.from(text, 'hex')
const time = (ms: number) =>
  der(0x17, Buffer.from(new Date(ms).toISOString().replace(/^..|[-:T]|\.\d+/g, '')))

const ecdsaWithSha256 = sequence(der(0x06, hex('2a8648ce3d040302')))
const commonName = der(0x06, hex('550403'))
const subjectAltName = der(0x06, hex('551d11'))
const basicConstraints = der(0x06, hex('551d13'))

/** For 127.0.0.1, localhost and `names`. */
export function makeCertificate(...names: string[]): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from('movidone test')))))
  const hosts = [
    der(0x87, Buffer.from([127, 0, 0, 1])),
    ...['localhost', ...names].map((host) => der(0x82, Buffer.from(host))),
  ]
  const extensions = sequence(
    sequence(basicConstraints, der(0x01, hex('ff')), der(0x04, sequence(der(0x01, hex('ff'))))),
    sequence(subjectAltName, der(0x04, sequence(...hosts))),
  )
  const body = sequence(
    der(0xa0, der(0x02, hex('02'))),
    der(0x02, Buffer.concat([hex('01'), randomBytes(15)])),
    ecdsaWithSha256,
    name,
    sequence(time(Date.now() - 86_400_000), time(Date.now() + 86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  )
  const signature = der(0x03, hex('00'), sign('sha256', body, privateKey))
  const base64 = sequence(body, ecdsaWithSha256, signature).toString('base64').replace(/.{64}/g, '$&\n')
  const cert = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const folder = mkdtempSync(join(tmpdir(), 'movidone-cert-'))
  const certFile = join(folder, 'cert.pem')
  const keyFile = join(folder, 'key.pem')
  writeFileSync(certFile, cert)
  writeFileSync(keyFile, key, { mode: 0o600 })
  return { cert, key, certFile, keyFile, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** This process, and it alone, trusts the certificate besides what it trusts already. */
export const trust = ({ cert }: Certificate): void =>
  setDefaultCACertificates([...getCACertificates('default'), cert])
