import { isAttuneError } from '@attune/core'

/** True if a call throws an AttuneError with a code and a remedy. */
export function rejects(call: () => unknown): boolean {
  try {
    call()
    return false
  } catch (error) {
    return isAttuneError(error) && /^[A-Z]+(_[A-Z]+)*$/.test(error.code) && /\w/.test(error.remedy)
  }
}
