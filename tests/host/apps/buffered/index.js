// The common functions in buffered mode.
import { register } from '../handlers.js'

register()
