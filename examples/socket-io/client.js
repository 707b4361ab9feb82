// Prints the count that the server sends. It reconnects by itself and sends the last count, so that the server continues from there.
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
