import { type Connection, countWait } from './connection.js'
import { brokenOff } from './connection-fault.js'
import { HUB_LIMITS } from './limits.js'
import type { BodyKind } from './operation-budget.js'
import { trackRate } from './rate.js'
import { badAnswer } from './refusal.js'

/** Reason for giving up on a server that sends nothing. */
export const SILENCE = 'the server fell silent'
const SLOW = `the server sends less than ${HUB_LIMITS.bytesPerSecond} bytes a second`

/** True if `fetch` decodes the body, which then has another length than its headers say. */
export const isCompressed = ({ headers }: Response): boolean =>
  ![null, '', 'identity'].includes(headers.get('content-encoding'))

/** Calls a function when a wait takes too long. One timer serves all waits; it is ignored between them. */
function watchSilence({ silenceSeconds, setAlarm }: Connection, onSilence: () => void) {
  let waiting = false
  const alarm = setAlarm(silenceSeconds, () => {
    if (waiting) onSilence()
  })
  return {
    begin() {
      waiting = true
      alarm.restart()
    },
    end() {
      waiting = false
    },
    stop: alarm.stop,
  }
}

/**
 * Yields the body of an answer as it comes, decoded.
 * @throws TypeError, which `connectionFault` recognizes, when the server falls silent or sends too slowly; AttuneError of the
 *   operation's budget
 */
export async function* chunksOf(
  response: Response,
  kind: BodyKind,
  connection: Connection,
): AsyncGenerator<Uint8Array> {
  if (response.body === null) return
  const { silenceSeconds, now, budget } = connection
  const reader = response.body.getReader()
  const cancel = (): Promise<void> => reader.cancel().catch(() => undefined) // a broken stream cannot be cancelled
  let silent = false
  const silence = watchSilence(connection, () => {
    silent = true
    void cancel() // which ends the pending read
  })
  const isTooSlow = trackRate()
  try {
    for (;;) {
      const began = now()
      let seconds = 0
      silence.begin()
      const { done, value } = await reader.read().finally(() => {
        silence.end()
        seconds = countWait(connection, began, silenceSeconds)
      })
      if (silent) throw brokenOff(SILENCE)
      if (done) return
      budget.receive(value.length, kind, isCompressed(response))
      if (isTooSlow(value.length, seconds)) throw brokenOff(SLOW)
      yield value
    }
  } finally {
    silence.stop()
    await cancel()
  }
}

/**
 * Reads an answer of the API, or the first `HUB_LIMITS.errorBytes` of one with an error status.
 * @throws AttuneError `HUB_BAD_ANSWER` for one that is too long, and what {@link chunksOf} throws
 */
export async function readAnswer(response: Response, url: URL, connection: Connection): Promise<string> {
  const chunks: Uint8Array[] = []
  const most = response.ok ? HUB_LIMITS.answerBytes : HUB_LIMITS.errorBytes
  let bytes = 0
  for await (const chunk of chunksOf(response, 'answer', connection)) {
    bytes += chunk.length
    if (bytes > most && response.ok) throw badAnswer(url, `more than ${most} bytes`)
    chunks.push(chunk)
    if (bytes > most) break
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, most))
}
