import { type Adapted, AttuneError, type Engine, type HostArray, type Params } from '@attune/core'

/** Parameters with a row for each token to which rows were added, and the number of rows that the saved model has. */
export interface AddedTokens {
  readonly names: readonly string[]
  readonly saved: number
}

const split = (params: Params, names: readonly string[]) => {
  const entries = Object.entries(params)
  return {
    chosen: Object.fromEntries(entries.filter(([name]) => names.includes(name))),
    others: Object.fromEntries(entries.filter(([name]) => !names.includes(name))),
  }
}

/** Mask of a parameter: 1 in the rows from `first` on, 0 before. */
function rowsFrom(first: number, shape: readonly number[]): HostArray {
  const size = shape.reduce((product, n) => product * n, 1)
  const before = (size / shape[0]!) * first
  return { shape, dtype: 'float32', values: new Float32Array(size).fill(1, before) }
}

/** Names of the parameters whose added rows an adapter freezes. */
const frozenNames = ({ frozen }: Adapted, { names }: AddedTokens): readonly string[] =>
  names.filter((name) => frozen[name] !== undefined)

/** @throws AttuneError `ADAPTER_MISMATCH` if the adapter replaced a table by tensors that cannot train, such as quantized ones. */
function requireTables({ frozen, trainable }: Adapted, { names }: AddedTokens): void {
  const replaced = names.find((name) => frozen[name] === undefined && trainable[name] === undefined)
  if (replaced === undefined) return
  throw new AttuneError(
    'ADAPTER_MISMATCH',
    `\`trainAddedTokens\`: expected the parameter ${replaced}, but the adapter stores it in another form`,
    'Let the adapter keep the embeddings unquantized, or set `trainAddedTokens: false`.',
  )
}

/**
 * An adapted model whose added rows train too: they are parameters with an update mask, so that the other rows keep their bits. The
 * gradient and the optimizer state are those of whole tables.
 * @throws AttuneError `ADAPTER_MISMATCH` if the adapter stores a table in another form
 */
export function trainAddedRows(engine: Engine, adapted: Adapted, added: AddedTokens): Adapted {
  requireTables(adapted, added)
  const names = frozenNames(adapted, added)
  const { chosen, others } = split(adapted.frozen, names)
  const masks = Object.entries(chosen).map(([name, { shape }]) => [name, rowsFrom(added.saved, shape)] as const)
  const { merge } = adapted
  return {
    ...adapted,
    trainable: { ...adapted.trainable, ...chosen },
    frozen: others,
    masks: { ...adapted.masks, ...(engine.put(Object.fromEntries(masks)) as Params) },
    ...(merge === undefined
      ? {}
      : {
          merge(trainable, frozen) {
            const own = split(trainable, names)
            return merge(own.others, { ...frozen, ...own.chosen })
          },
        }),
  }
}

/** Warnings about rows of added tokens: frozen ones, or none although `trainAddedTokens` is set. */
export function addedTokenWarnings(
  adapted: Adapted,
  added: AddedTokens | undefined,
  { trains, adapter }: { readonly trains: boolean; readonly adapter: string },
): readonly string[] {
  if (added === undefined)
    return trains
      ? [
          '`trainAddedTokens` has no effect: `model.resizeEmbeddings` added no rows to the word embeddings of the saved model',
        ]
      : []
  const [first] = frozenNames(adapted, added)
  if (first === undefined) return []
  const count = adapted.frozen[first]!.shape[0]! - added.saved
  return [
    `the rows of ${count} added tokens are frozen by adapter ${adapter}, at values around the mean of the other rows: set \`trainAddedTokens: true\` to train them`,
  ]
}
