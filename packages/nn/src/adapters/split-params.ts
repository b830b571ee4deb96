import { type Adapted, AttuneError, type Params } from '@attune/core'

/**
 * Divides parameters into trainable and frozen ones; `merge` joins the two again.
 * @param adapter its name, for the error
 * @throws AttuneError `NOTHING_TRAINS` if no parameter would train
 */
export function splitParams(
  adapter: string,
  params: Params,
  trains: (name: string) => boolean,
): Pick<Adapted, 'trainable' | 'frozen' | 'merge'> {
  const names = Object.keys(params)
  const part = (wanted: boolean): Params =>
    Object.fromEntries(names.filter((name) => trains(name) === wanted).map((name) => [name, params[name]!]))
  const trainable = part(true)
  if (Object.keys(trainable).length === 0)
    throw new AttuneError(
      'NOTHING_TRAINS',
      `adapter ${adapter}: expected a model with parameters that it selects, got none among ${names.length} parameters, such as ${names.slice(0, 3).join(', ')}`,
      'Use another adapter: `npx attune plugins list --kind adapter` lists them.',
    )
  return {
    trainable,
    frozen: part(false),
    merge: (trained, kept) => Object.fromEntries(names.map((name) => [name, trained[name] ?? kept[name]!])),
  }
}
