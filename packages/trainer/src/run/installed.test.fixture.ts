import { fileURLToPath } from 'node:url'
import { type AnyPlugin, type Kind, fileName } from '@attune/core'
import { findInstalled } from '@attune/resolve'

const places = { folders: [fileURLToPath(new URL('../../../..', import.meta.url))] }

/** A plugin of this workspace, which the tests of a lower floor may use but not import. */
export const installed = async (kind: Kind<unknown>, name: string): Promise<AnyPlugin> =>
  (await findInstalled(kind, fileName(name), places)).plugin
