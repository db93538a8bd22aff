// The lines that a tenant puts into a page of its own.

const attribute = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')

/** `src` is the URL of a grant, or what a template engine puts it in the place of. */
export const snippet = (src: string, scriptUrl: string): string =>
  [
    `<div class="movidone" data-src="${attribute(src)}"></div>`,
    `<script async src="${attribute(scriptUrl)}"></script>`,
  ].join('\n')
