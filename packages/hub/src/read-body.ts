import { type Connection, countWait } from './connection.js'
import { connectionError } from './connection-fault.js'
import { HUB_LIMITS } from './limits.js'
import type { BodyKind } from './operation-budget.js'
import { trackRate } from './rate.js'
import { invalidResponse } from './response-errors.js'

/** Reason for abandoning a server that sends nothing. */
export const SILENCE = 'the server stopped responding'
const SLOW = `the server sends less than ${HUB_LIMITS.bytesPerSecond} bytes per second`

/** True if `fetch` decodes the body, whose length then differs from its headers. */
export const isCompressed = ({ headers }: Response): boolean =>
  ![null, '', 'identity'].includes(headers.get('content-encoding'))

/** Calls a function if a wait takes too long. One timer serves all waits and is ignored between them. */
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
 * Yields the decoded body of a response as it arrives.
 * @throws TypeError, which `connectionFault` recognizes, if the server stops responding or is too slow; AttuneError
 * of the operation's budget
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
    void cancel() // ends the pending read
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
      if (silent) throw connectionError(SILENCE)
      if (done) return
      budget.receive(value.length, kind, isCompressed(response))
      if (isTooSlow(value.length, seconds)) throw connectionError(SLOW)
      yield value
    }
  } finally {
    silence.stop()
    await cancel()
  }
}

/**
 * Reads an API response, or the first `HUB_LIMITS.errorBytes` of one with an error status.
 * @throws AttuneError `HUB_BAD_ANSWER` for a too long response, and the errors of {@link chunksOf}
 */
export async function readAnswer(response: Response, url: URL, connection: Connection): Promise<string> {
  const chunks: Uint8Array[] = []
  const maximum = response.ok ? HUB_LIMITS.answerBytes : HUB_LIMITS.errorBytes
  let bytes = 0
  for await (const chunk of chunksOf(response, 'answer', connection)) {
    bytes += chunk.length
    if (bytes > maximum && response.ok) throw invalidResponse(url, `more than ${maximum} bytes`)
    chunks.push(chunk)
    if (bytes > maximum) break
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, maximum))
}
