// Only pages on which somebody proves who they are carry this.
import { startPasskeys } from "./passkey.js";

startPasskeys();
