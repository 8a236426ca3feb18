# The A20 gate: closed, it folds every odd megabyte onto the even one below, where the image is not.

    .section .setup16, "", @progbits
    .code16

    .set A20_TRIES, 255
    .set KBC_DATA, 0x60
    .set KBC_STATUS, 0x64
    .set KBC_INPUT_FULL, 1 << 1
    .set KBC_WRITE_OUTPUT_PORT, 0xd1
    .set KBC_A20_ON, 0xdf
    .set SYSTEM_CONTROL_A, 0x92

# Tries the ways to open the gate, gentlest first, and comes back once it is open.
enable_a20:
    movw    $A20_TRIES, %si
1:  call    a20_open
    jnz     .La20_done
    movw    $0x2401, %ax
    bios    0x15
    call    a20_open
    jnz     .La20_done

    call    kbc_wait
    movb    $KBC_WRITE_OUTPUT_PORT, %al
    outb    %al, $KBC_STATUS
    call    kbc_wait
    movb    $KBC_A20_ON, %al
    outb    %al, $KBC_DATA
    call    kbc_wait
    call    a20_open
    jnz     .La20_done

    inb     $SYSTEM_CONTROL_A, %al
    orb     $2, %al                         # the gate
    andb    $0xfe, %al                      # bit 0 would reset the machine
    outb    %al, $SYSTEM_CONTROL_A
    call    a20_open
    jnz     .La20_done
    decw    %si
    jnz     1b
    movl    $.Lstop_without_a20, %eax
    jmp     enter_protected_mode            # the set-up code lies in an even megabyte

.La20_done:
    ret

# Clears the zero flag if 1 MiB + 0x200 and 0x200 are two places. Clobbers ax, cx, fs, gs.
a20_open:
    .set A20_TEST, 0x200                    # the interrupt vector 0x80, which no BIOS uses
    xorw    %cx, %cx
    movw    %cx, %fs
    decw    %cx
    movw    %cx, %gs
    movw    $32, %cx                        # the gate takes a while to move
    pushw   %fs:A20_TEST
1:  incw    %fs:A20_TEST
    outb    %al, $0x80                      # about a microsecond
    movw    %fs:A20_TEST, %ax
    cmpw    %gs:A20_TEST + 0x10, %ax
    loope   1b
    popw    %fs:A20_TEST
    ret

# Waits until the keyboard controller takes a byte, or a while. Clobbers ax, cx.
kbc_wait:
    movw    $0xffff, %cx
1:  outb    %al, $0x80
    inb     $KBC_STATUS, %al
    testb   $KBC_INPUT_FULL, %al
    loopnz  1b
    ret
