# screen_info: the text screen as the BIOS left it, so that a console goes on where the boot loader stopped.

    .section .setup16, "", @progbits
    .code16

    # Offsets in screen_info, which boot_params begins with.
    .set ORIG_X, 0x00
    .set ORIG_Y, 0x01
    .set ORIG_VIDEO_PAGE, 0x04
    .set ORIG_VIDEO_MODE, 0x06
    .set ORIG_VIDEO_COLS, 0x07
    .set ORIG_VIDEO_EGA_BX, 0x0a
    .set ORIG_VIDEO_LINES, 0x0e
    .set ORIG_VIDEO_ISVGA, 0x0f
    .set ORIG_VIDEO_POINTS, 0x10

    # Absolute addresses in the BIOS data area.
    .set BDA_ROWS, 0x484
    .set BDA_POINTS, 0x485

store_screen:
    # Without an adapter there is no handler that would answer: columns stay 0.
    movb    $0x0f, %ah                      # current mode; INT 10h leaves the carry flag undefined
    xorw    %bx, %bx
    bios    0x10
    cmpb    $0x0f, %ah
    je      .Lno_screen
    movb    %ah, setup_boot_params + ORIG_VIDEO_COLS
    andb    $0x7f, %al                      # bit 7: the screen was not cleared
    movb    %al, setup_boot_params + ORIG_VIDEO_MODE
    movzbw  %bh, %bx
    movw    %bx, setup_boot_params + ORIG_VIDEO_PAGE

    shlw    $8, %bx                         # bh = page
    movb    $3, %ah                         # cursor position
    xorw    %dx, %dx
    bios    0x10
    movb    %dl, setup_boot_params + ORIG_X
    movb    %dh, setup_boot_params + ORIG_Y

    movb    $0x12, %ah                      # EGA or later: memory size and switches
    movw    $0xff10, %bx
    bios    0x10
    movw    %bx, setup_boot_params + ORIG_VIDEO_EGA_BX
    movb    $25, setup_boot_params + ORIG_VIDEO_LINES
    cmpb    $0x10, %bl
    je      .Lno_screen                     # the call changed nothing: CGA or MDA, always 25 lines

    xorw    %ax, %ax
    movw    %ax, %fs
    movb    %fs:BDA_ROWS, %al               # the last row's number
    incb    %al
    movb    %al, setup_boot_params + ORIG_VIDEO_LINES
    movw    %fs:BDA_POINTS, %ax
    movw    %ax, setup_boot_params + ORIG_VIDEO_POINTS

    movw    $0x1a00, %ax                    # VGA: display combination
    bios    0x10
    cmpb    $0x1a, %al
    jne     .Lno_screen
    movb    $1, setup_boot_params + ORIG_VIDEO_ISVGA
.Lno_screen:
    ret
