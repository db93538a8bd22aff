// Keys that nobody holds: a refused grant is verified with one of them, so that it costs what a good one costs.
import type { SigningAlgorithm } from '../tenants/model.ts'

/** Their private halves were never kept; what one of them verifies is refused all the same. */
export const nobodysKeys: Readonly<Record<SigningAlgorithm, string>> = {
  EdDSA: `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAwbL29wKyp/giDI9NUtYKpTPO6mMZ8Vj8qZH5+E6tygg=
-----END PUBLIC KEY-----
`,
  ES256: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtoF+GOorf4J9WVA6wE6djlX7oK7U
e9Qf2tcNizvWgOA8XpRl7UpVPOSr9u/SRLeMvUoDzZWwM6KDU5KEjjuo1A==
-----END PUBLIC KEY-----
`,
  RS256: `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA42zc9YgVAsoufkk5bx19
varvW69e+hacLpoxbG6W4S/RmELgBtHwYfk315TKbX3Z9bA0DeH37XSK/LRgFOhH
/x2NGo009taXH5w6pjnN98gpuapEkd97lHjO9rMVt8zCYiE3H81UMmYq1jEIL7sj
qp1S6Ap1Rvws0ZYD5osRJYLbj72K30jQhF7/d42p54XtVNOqdWJzTQS5keE8cOt9
70xHLZWEz8zB+PlhCmoxE4Gj8zqNUD/JS4YUPcd6SJEZWLM+imZPicgK492HSuvl
a3K/r/28RCezdgWxppCuqoGccqYnG4pc+40BVVBYk7XwHrlNHgK6kNdDvjSDh8Mf
QwIDAQAB
-----END PUBLIC KEY-----
`,
}
