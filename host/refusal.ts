// What an emulator answers, and how it throws an answer that refuses.

export interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Refusal extends Error {
  readonly answer: Answer
}

export const refusalOf = (message: string, answer: Answer): Refusal =>
  Object.assign(new Error(message), { answer })

export const isRefusal = (error: unknown): error is Refusal => error instanceof Error && 'answer' in error
