// Decides what a new user reads once the platform is ready: where the console is, and how to upload a film of one's own.
import { relative } from 'node:path'
import { localJsonFile } from './local-json.ts'
import type { StartOptions } from './options.ts'
import type { Platform } from './supervisor.ts'

const fileOf = ({ folder, stateDirectory }: StartOptions): string => {
  const file = localJsonFile(stateDirectory)
  const near = relative(folder, file)
  return near.startsWith('..') ? file : `./${near}`
}

export const consoleLines = (platform: Platform, options: StartOptions): string[] => [
  '',
  `  Console    ${platform.consoleUrl}`,
  `  Sign in    with the key that this prints:  node -p "require('${fileOf(options)}').tenant.apiKey"`,
  ...(platform.hasFleet
    ? [`  Fleet      ${new URL('fleet.html', platform.consoleUrl)} with the adminKey of the same file`]
    : []),
  '',
]

/** The key is read from its file, so that it stands in no history of a shell. */
export const curlLines = ({ apiUrl }: Platform, options: StartOptions): string[] => [
  `FILE=film.mp4; KEY=$(node -p "require('${fileOf(options)}').tenant.apiKey")`,
  `curl -sS --fail-with-body -X POST ${apiUrl}/api/v1/uploads -H "authorization: Bearer $KEY" -H 'content-type: application/json' \\`,
  `  -d '{"fileName":"'"$FILE"'","sizeBytes":'$(wc -c < "$FILE")'}' -o upload.json || cat upload.json`,
  `curl -sS --fail-with-body -T "$FILE" -H 'x-ms-blob-type: BlockBlob' "$(node -p "require('./upload.json').uploadUrl")"`,
  `curl -sS --fail-with-body -X POST ${apiUrl}/api/v1/uploads/$(node -p "require('./upload.json').assetId")/complete -H "authorization: Bearer $KEY"`,
  '# It plays in the console within seconds; docs/1-start.md shows how to play it elsewhere.',
]

export const ffmpegAdvice = ({ ffmpeg }: Platform): string[] =>
  ffmpeg.isLaptopOnly
    ? [
        `  ffmpeg ${ffmpeg.version} is an old static build: good for a try on a laptop, never for strangers' files.`,
        '  A better one: apt install ffmpeg (Debian), brew install ffmpeg (macOS), or FFMPEG_PATH=/path/to/ffmpeg.',
        '',
      ]
    : []
