// All that the bundle may ask of its worker: a stub of @azure/functions-core that counts what is registered.
const Module = require('node:module')

const registered = []
class Disposable {
  dispose() {}
}
let model
const core = {
  version: '3.9.1',
  hostVersion: '4.1037.0',
  Disposable,
  registerFunction: ({ name }) => {
    registered.push(name)
    return new Disposable()
  },
  registerHook: () => new Disposable(),
  setProgrammingModel: (next) => {
    model = next
  },
  getProgrammingModel: () => model,
  log: () => {},
}

const load = Module.prototype.require
Module.prototype.require = function requireWithCore(id) {
  return id === '@azure/functions-core' ? core : load.call(this, id)
}
// The SDKs may hold connections open; what counts is that loading came to its end.
process.on('exit', () => process.stdout.write(`${JSON.stringify(registered)}\n`))
