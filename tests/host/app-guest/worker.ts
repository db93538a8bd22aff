// A worker that does nothing: it says that it is ready, and ends with whoever started it.
import { runPart } from '../../../host/platform/child.ts'

await runPart(async () => ({ port: 0, close: async () => {} }))
