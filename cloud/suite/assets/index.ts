import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Tx } from '#cloud/platform/database/database.ts'
import { systemActor } from '#cloud/platform/door/actor.ts'
import { type CommandContext, defineCommand } from '#cloud/platform/door/command.ts'
import type { Module } from '#cloud/platform/module.ts'
import type { EventHandler } from '#cloud/platform/outbox/event.ts'
import type { Directory } from '../directory/index.ts'
import { type CardSource, STAFF, type SuiteDeps } from '../kernel/index.ts'
import { assetForDevice } from './create.ts'
import { assetRoutes } from './routes.ts'
import { type AssetRow, assetStore } from './store.ts'
import { type AssetTree, type DeviceRef, treeOf } from './tree.ts'

export { importAssets } from './import.ts'
export type { AssetRow } from './store.ts'
export { type AssetTree, type DeviceRef, deviceOf, devicePath, devicesOf } from './tree.ts'

/** Open incidents by asset; answered by incidents. */
export type OpenIncidentCounts = (tx: Tx) => Promise<ReadonlyMap<string, number>>

/** The asset tree, as other modules ask for it. */
export interface Assets {
  readonly module: Module
  readonly cards: CardSource
  tree(tx: Tx): Promise<AssetTree>
  /** The asset a device speaks for, made under "unassigned" when nobody has placed the device. Inside a command. */
  forDevice(context: CommandContext, ref: DeviceRef): Promise<AssetRow>
}

const Ref = { group: Type.String(), edge: Type.String(), device: Type.String() }
const Born = Type.Object({ ...Ref, profile: Type.Optional(Type.Union([Type.String(), Type.Null()])) })
const Place = Type.Object({ ...Ref, kind: Type.Enum(['work-unit', 'equipment-module']) })

const placeDevice = defineCommand({
  name: 'asset.place-device',
  input: Place,
  resource: () => ({ type: 'asset' }),
  run: async (context, input) => ({ id: (await assetForDevice(context, input, input.kind)).id }),
})

/** Every device that was born has an asset. Only one whose profile tells a machine state is a machine; a meter is equipment. */
const placeBorn = ({ pipeline }: SuiteDeps): EventHandler => ({
  name: 'assets.place-device',
  types: ['device.born'],
  async handle(event, { tx, door }) {
    const { group, edge, device, profile } = Value.Parse(Born, event.data)
    const kind = pipeline.profile(profile ?? '')?.machineState ? 'work-unit' : 'equipment-module'
    await door.execute(placeDevice, systemActor(event.org), { group, edge, device, kind }, { tx })
  },
})

/** Wires assets. */
export function createAssets(deps: SuiteDeps, directory: Directory, openIncidents: OpenIncidentCounts): Assets {
  const tree = async (tx: Tx) => treeOf(await assetStore(tx).all())
  return {
    tree,
    forDevice: assetForDevice,
    cards: {
      type: 'asset',
      async card(tx, _actor, id) {
        const row = (await tree(tx)).ref(id)
        const state = { id, type: 'asset', number: row.code, title: row.name, state: 'active', revision: 1 }
        return { record: state, fields: [], href: `/assets/${id}`, actions: [] }
      },
    },
    module: {
      name: 'assets',
      routes: (app) => assetRoutes(app, { ...deps, directory, openIncidents, tree }),
      handlers: [placeBorn(deps)],
      rules: [{ name: 'staff-see-assets', roles: STAFF, actions: ['asset.view'] }],
    },
  }
}
