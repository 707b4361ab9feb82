// Counts, whoever serves: it comes back by itself, and says how far it is.
import { io } from 'socket.io-client';

let count = 0;
const socket = io(process.argv[2] ?? 'http://localhost:10086', {
  auth: (answer) => answer({ count }),
  reconnectionDelay: 100,
});
socket.on('count', (number, pid) => {
  count = number;
  console.log(`${number} from ${pid}`);
});
socket.on('disconnect', (reason) => console.log(`disconnected: ${reason}`));
