// The lines that a tenant puts into a page of its own, and the origin of that page.

const attribute = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')

/** `src` is the URL of a grant, or what a template engine puts it in the place of. */
export const snippet = (src: string, scriptUrl: string): string =>
  [
    `<div class="movidone" data-src="${attribute(src)}"></div>`,
    `<script async src="${attribute(scriptUrl)}"></script>`,
  ].join('\n')

/** What a person pastes may be the address of a whole page; what counts of it is its origin (RFC 6454). */
export function originOf(text: string): string {
  const trimmed = text.trim()
  const url = URL.parse(/^[a-z]+:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`)
  // What is no address goes to the platform as it is, which says what is wrong with it.
  return url && /^https?:$/.test(url.protocol) && url.hostname ? url.origin : trimmed
}
