import { isAttuneError } from '@attune/core'
import { redact } from '@attune/hub'
import { EXIT } from './exit-codes.js'

/** Text to print on stderr for an error, and the exit code. Tokens of the Hub are removed from the text, whatever brought them there. */
export function describeError(error: unknown): { readonly text: string; readonly code: number } {
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN } = process.env
  const secrets = [HF_TOKEN, HUGGING_FACE_HUB_TOKEN].filter((token) => token !== undefined)
  const { text, code } = described(error)
  return { text: redact(text, secrets), code }
}

function described(error: unknown): { readonly text: string; readonly code: number } {
  if (isAttuneError(error))
    return {
      text: `${error.code}: ${error.problem}\n${error.remedy}\nMore: npx attune explain ${error.code}`,
      code: EXIT.wrongInput,
    }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    text: `${stack}\n\nThis should not have happened. Please report it with the lines above.`,
    code: EXIT.unexpected,
  }
}
